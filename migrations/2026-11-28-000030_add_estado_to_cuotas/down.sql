ALTER TABLE cuotas DROP COLUMN estado;
COMMENT ON TABLE cuotas IS 'Ritmo de peticiones que comparten todos los procesos (ELEVENLABS_RATE_LIMIT); vacía si no se ha fijado.';
