-- The event log, the views the projector keeps, and the few tables that are neither.
-- The log itself is made append-only by obslib.retention (privileges and trigger).

CREATE TABLE IF NOT EXISTS events (
    event_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at     timestamptz NOT NULL DEFAULT now(),
    aggregate_type  text   NOT NULL,
    aggregate_id    text   NOT NULL,
    aggregate_seq   bigint NOT NULL CHECK (aggregate_seq >= 1),
    event_type      text   NOT NULL,
    event_version   int    NOT NULL DEFAULT 1 CHECK (event_version >= 1),
    actor_type      text   NOT NULL CHECK (actor_type IN ('user', 'service_principal', 'system')),
    actor_id        text   NOT NULL,
    org_id          text,
    request_id      text   NOT NULL,
    payload         jsonb  NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object'),
    idempotency_key text,
    app_id          text,
    env_id          text,
    correlation_id  text,
    causation_id    text,
    traceparent     text,
    tags            jsonb,
    UNIQUE (aggregate_type, aggregate_id, aggregate_seq),
    CHECK (org_id IS NOT NULL OR aggregate_type = 'node')
);
CREATE INDEX IF NOT EXISTS events_by_type ON events (event_type, event_id);
CREATE INDEX IF NOT EXISTS events_by_org ON events (org_id, event_id);
CREATE INDEX IF NOT EXISTS events_by_env ON events (env_id, event_id);

-- views ------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS projection_checkpoints (
    projection_name       text PRIMARY KEY,
    last_applied_event_id bigint NOT NULL,
    updated_at            timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS orgs (
    org_id text PRIMARY KEY, name text NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS apps (
    app_id text PRIMARY KEY, org_id text NOT NULL, name text NOT NULL, UNIQUE (org_id, name)
);
CREATE TABLE IF NOT EXISTS envs (
    env_id text PRIMARY KEY, org_id text NOT NULL, app_id text NOT NULL, name text NOT NULL, UNIQUE (app_id, name)
);
CREATE TABLE IF NOT EXISTS releases (
    release_id text PRIMARY KEY, org_id text NOT NULL, app_id text NOT NULL,
    manifest jsonb NOT NULL, manifest_hash text NOT NULL, created_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS deploys (
    deploy_id text PRIMARY KEY, org_id text NOT NULL, app_id text NOT NULL, env_id text NOT NULL,
    release_id text NOT NULL, kind text NOT NULL, status text NOT NULL, reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS deploys_by_env ON deploys (env_id, created_at);
CREATE TABLE IF NOT EXISTS env_desired_releases (
    env_id text NOT NULL, process_type text NOT NULL, org_id text NOT NULL, app_id text NOT NULL,
    release_id text NOT NULL, deploy_id text NOT NULL, event_id bigint NOT NULL, traceparent text,
    PRIMARY KEY (env_id, process_type)
);
CREATE TABLE IF NOT EXISTS env_scale (
    env_id text NOT NULL, process_type text NOT NULL, org_id text NOT NULL, app_id text NOT NULL,
    replicas int NOT NULL CHECK (replicas >= 0), event_id bigint NOT NULL, traceparent text,
    PRIMARY KEY (env_id, process_type)
);
CREATE TABLE IF NOT EXISTS routes (
    route_id text PRIMARY KEY, org_id text NOT NULL, app_id text NOT NULL, env_id text NOT NULL,
    hostname text NOT NULL, listener_port int NOT NULL, process_type text NOT NULL, backend_port int NOT NULL,
    protocol text NOT NULL, proxy_protocol text NOT NULL, event_id bigint NOT NULL, traceparent text
);
CREATE UNIQUE INDEX IF NOT EXISTS routes_raw_port ON routes (listener_port) WHERE protocol = 'tcp_raw';
CREATE UNIQUE INDEX IF NOT EXISTS routes_name ON routes (hostname, listener_port);
CREATE TABLE IF NOT EXISTS instances_desired (
    instance_id text PRIMARY KEY, org_id text NOT NULL, app_id text NOT NULL, env_id text NOT NULL,
    process_type text NOT NULL, release_id text NOT NULL, deploy_id text NOT NULL, node_id text NOT NULL,
    assignment_id text NOT NULL, desired_state text NOT NULL, desired_reason text NOT NULL DEFAULT '',
    group_spec_hash text NOT NULL, spec jsonb NOT NULL,
    event_id bigint NOT NULL, traceparent text, created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS instances_desired_by_env ON instances_desired (env_id);
CREATE INDEX IF NOT EXISTS instances_desired_by_node ON instances_desired (node_id);
CREATE TABLE IF NOT EXISTS instances_status (
    instance_id text PRIMARY KEY, org_id text NOT NULL, env_id text NOT NULL, node_id text NOT NULL,
    status text NOT NULL, boot_id text NOT NULL DEFAULT '', address text NOT NULL DEFAULT '', port int,
    reason_code text NOT NULL DEFAULT '', reason_detail text NOT NULL DEFAULT '', termination_class text NOT NULL DEFAULT '',
    exit_code int, restarts int NOT NULL DEFAULT 0, is_final boolean NOT NULL DEFAULT false,
    event_id bigint NOT NULL, traceparent text, changed_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS nodes (
    node_id text PRIMARY KEY, name text NOT NULL UNIQUE, kind text NOT NULL CHECK (kind IN ('agent', 'edge')),
    state text NOT NULL, address text NOT NULL, memory_bytes bigint NOT NULL DEFAULT 0
);

-- neither events nor views: high-rate reports, credentials, replies kept for idempotency, names taken --

CREATE TABLE IF NOT EXISTS node_reports (
    node_id text PRIMARY KEY, consumer text NOT NULL, seen_at timestamptz NOT NULL,
    cursor_event_id bigint NOT NULL DEFAULT 0, report jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS instance_ends ( -- the last end of each instance, with the figures that are not in its event
    instance_id text PRIMARY KEY, org_id text NOT NULL, boot_id text NOT NULL, report jsonb NOT NULL
);
CREATE TABLE IF NOT EXISTS component_reports (
    component text PRIMARY KEY, seen_at timestamptz NOT NULL, cursor_event_id bigint NOT NULL DEFAULT 0,
    report jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS tokens (
    token_hash text PRIMARY KEY, org_id text, actor_type text NOT NULL, actor_id text NOT NULL,
    scopes text[] NOT NULL, node_id text, created_at timestamptz NOT NULL DEFAULT now(), revoked_at timestamptz
);
CREATE TABLE IF NOT EXISTS idempotency_keys (
    org_id text NOT NULL, actor_id text NOT NULL, endpoint text NOT NULL, idempotency_key text NOT NULL,
    request_hash text NOT NULL, status int, response json, created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, actor_id, endpoint, idempotency_key)
);
CREATE TABLE IF NOT EXISTS name_claims (
    scope text NOT NULL, name text NOT NULL, aggregate_id text NOT NULL, PRIMARY KEY (scope, name)
);
CREATE INDEX IF NOT EXISTS name_claims_by_aggregate ON name_claims (aggregate_id);
