ALTER TABLE conversaciones DROP COLUMN tapado, DROP COLUMN rarezas, DROP COLUMN origen;
