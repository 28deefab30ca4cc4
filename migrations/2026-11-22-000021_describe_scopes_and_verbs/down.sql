COMMENT ON TABLE cursores IS 'Hasta dónde se ha listado cada ámbito y quién lo lista ahora.';
COMMENT ON COLUMN cursores.ambito IS 'Identificador del agente cuyas llamadas se listan; * son todos.';
COMMENT ON COLUMN cursores.listado_hasta IS 'El inicio más reciente visto en una pasada completa; nunca retrocede. NULL: ninguna todavía.';
COMMENT ON COLUMN cursores.titular IS 'Proceso que lista ahora; NULL: ninguno.';
COMMENT ON TABLE corridas IS 'Una fila por pasada del productor.';
COMMENT ON COLUMN corridas.verbo IS 'Orden que la hizo: sync.';
COMMENT ON COLUMN corridas.conocidas IS 'Conversaciones ya guardadas o ya pedidas.';
