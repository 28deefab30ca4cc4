DROP TABLE conversaciones;
