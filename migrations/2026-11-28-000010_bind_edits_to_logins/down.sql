CREATE OR REPLACE FUNCTION reportes_anota_edicion() RETURNS trigger LANGUAGE plpgsql AS $$
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
