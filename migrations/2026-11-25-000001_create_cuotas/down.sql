DROP TABLE cuotas;
