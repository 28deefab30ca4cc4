-- What is known of the API's own rate, found by whoever was refused, so that all workers and the producer keep it together.
ALTER TABLE cuotas ADD COLUMN estado TEXT NOT NULL DEFAULT '';

COMMENT ON TABLE cuotas IS 'Ritmo de peticiones que comparten todos los procesos: el fijado (ELEVENLABS_RATE_LIMIT) o el hallado donde la API rechazó; vacía si no hay ninguno.';
COMMENT ON COLUMN cuotas.estado IS 'Lo que se sabe del ritmo que admite la API y hasta dónde está repartido, en JSON; solo para los programas.';
