-- Rows that the older system wrote and no worker has read again are few, once a first pass is done: `producer status` asks
-- for them without reading every call, and `producer check` looks here for an older system that still writes.
CREATE INDEX conversaciones_sin_huella ON conversaciones (id_eleven) WHERE huella IS NULL;
