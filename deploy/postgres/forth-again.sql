-- After back-to-the-script.sql, when the older script has been stopped for good: corrected reports get their values back,
-- the trigger works again, and every call counts as changed, so that `producer reconcile --refetch` has the script's
-- values, and the caller's number if it was said, replaced. Run by the same user as the other:
--     psql -d llamadas -f forth-again.sql
BEGIN;
UPDATE reportes
    SET (id_extorsion, modo, tiempo, lugar, editado_en)
        = (saved.id_extorsion, saved.modo, saved.tiempo, saved.lugar, saved.editado_en)
    FROM reportes_corregidos AS saved
    WHERE saved.folio = reportes.folio;
ALTER TABLE reportes ENABLE TRIGGER reportes_anota_edicion;
-- Not NULL, which says that a row was never read by Backend-089: that is right for those which the script has inserted.
UPDATE conversaciones SET huella = '\x' WHERE huella IS NOT NULL;
DROP TABLE reportes_corregidos;
COMMIT;
