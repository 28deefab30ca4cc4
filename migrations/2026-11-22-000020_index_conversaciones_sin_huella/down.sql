DROP INDEX conversaciones_sin_huella;
