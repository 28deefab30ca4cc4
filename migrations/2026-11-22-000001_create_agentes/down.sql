DROP TABLE agentes;
