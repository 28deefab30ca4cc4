-- The older system's table, kept and completed, and the trigger that remembers that a person corrected a report.
CREATE TABLE IF NOT EXISTS reportes (
    folio BIGSERIAL PRIMARY KEY,
    id_conversacion BIGINT UNIQUE NOT NULL REFERENCES conversaciones (id_conversacion),
    id_extorsion TEXT,
    modo TEXT,
    tiempo TEXT,
    lugar TEXT
);

ALTER TABLE reportes ADD COLUMN IF NOT EXISTS editado_en TIMESTAMPTZ;

COMMENT ON TABLE reportes IS 'Un reporte por llamada: lo que un analista necesita de ella. El folio es el acuse de la llamada.';
COMMENT ON COLUMN reportes.folio IS 'Número de folio; nunca cambia ni se reutiliza.';
COMMENT ON COLUMN reportes.id_conversacion IS 'La llamada.';
COMMENT ON COLUMN reportes.id_extorsion IS 'Tipo de extorsión.';
COMMENT ON COLUMN reportes.modo IS 'Cómo ocurrió.';
COMMENT ON COLUMN reportes.tiempo IS 'Cuándo ocurrió.';
COMMENT ON COLUMN reportes.lugar IS 'Dónde ocurrió.';
COMMENT ON COLUMN reportes.editado_en IS 'Cuándo corrigió una persona el reporte; desde entonces sus valores no se vuelven a escribir. NULL: nunca.';

-- The worker says who it is inside its own transaction (set_config with is_local), not by its role: people and
-- programs may share a role. The old value counts, so that saving a form unchanged claims nothing.
CREATE FUNCTION reportes_anota_edicion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id_extorsion, NEW.modo, NEW.tiempo, NEW.lugar)
            IS DISTINCT FROM (OLD.id_extorsion, OLD.modo, OLD.tiempo, OLD.lugar)
        AND coalesce(current_setting('backend089.escritor', true), '') <> 'consumer'
    THEN
        NEW.editado_en := now();
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION reportes_anota_edicion() IS 'Anota en editado_en que una persona cambió uno de los cuatro valores.';

CREATE TRIGGER reportes_anota_edicion BEFORE UPDATE ON reportes
    FOR EACH ROW EXECUTE FUNCTION reportes_anota_edicion();
