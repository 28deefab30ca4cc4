DROP TABLE cursores;
