# Steward in one container: `docker build . --tag=steward`; docs/host-it.md says how it is run.
# The same image is `run` (one process, SQLite), or `migrate`, `web` and `worker` over PostgreSQL (compose.yaml).
FROM python:3.12-slim AS build
WORKDIR /source
# What is needed changes seldom: this layer is kept from build to build.
COPY requirements.lock ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY handlers handlers
COPY migrations migrations
COPY models models
COPY reports reports
COPY sandbox sandbox
COPY scheduler scheduler
COPY views views
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-build-isolation --no-deps --no-index .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /data steward \
    && install --directory --owner=steward --mode=0700 /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATABASE_URL=sqlite:////data/steward.db \
    HOST=0.0.0.0 \
    LOG_FORMAT=json
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
# The same question as /healthz answers, also for the processes that listen to nothing.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["steward", "health"]
ENTRYPOINT ["steward"]
CMD ["run"]
