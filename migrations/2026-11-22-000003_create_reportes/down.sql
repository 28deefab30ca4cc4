DROP TABLE reportes;
DROP FUNCTION reportes_anota_edicion();
