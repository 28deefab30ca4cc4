-- More than a pass has a turn in cursores and a row in corridas now.
COMMENT ON TABLE cursores IS 'Hasta dónde se ha llegado en cada ámbito y quién trabaja en él ahora.';
COMMENT ON COLUMN cursores.ambito IS 'Agente cuyas llamadas se listan, o * para todos; backfill: o refetch: y un periodo; dead: quien mueve los trabajos dados por perdidos.';
COMMENT ON COLUMN cursores.listado_hasta IS 'El inicio más reciente visto en una pasada completa; nunca retrocede. De un periodo: hasta dónde se pidió; NULL: nada todavía, o todo.';
COMMENT ON COLUMN cursores.titular IS 'Proceso que tiene el turno ahora; NULL: ninguno.';
COMMENT ON TABLE corridas IS 'Una fila por cada vez que el productor listó o pidió llamadas.';
COMMENT ON COLUMN corridas.verbo IS 'Orden que la hizo: sync, backfill o reconcile; una pasada de sync hace también reconcile cuando toca.';
COMMENT ON COLUMN corridas.conocidas IS 'Conversaciones listadas que no hubo que pedir.';
