-- Freshness is asked for by every screen, and analysts ask by period.
CREATE INDEX conversaciones_por_inicio ON conversaciones (inicio);
