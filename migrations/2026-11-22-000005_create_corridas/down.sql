DROP TABLE corridas;
