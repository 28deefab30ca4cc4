DROP TABLE trabajos;
