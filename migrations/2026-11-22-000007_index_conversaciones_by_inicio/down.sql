DROP INDEX conversaciones_por_inicio;
