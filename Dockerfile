# All images of docker-compose.yml, each a target: docker build --target web .
# `web` serves the pages and has no torch; `worker` adds it and runs the lab's jobs. The servers beside them come from
# the same Debian, whose packages the tests run.
#
# Bases are pinned by exact version. A digest pins them to the byte: `make pin` asks the registry for those of today.
ARG PYTHON_IMAGE=python:3.13.18-slim-trixie
ARG DEBIAN_IMAGE=debian:13.8-slim

# --- the application ----------------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /venv
COPY requirements/web.txt requirements/
RUN /venv/bin/pip install --quiet --require-hashes -r requirements/web.txt

FROM packages AS packages-with-torch
# The index of PyTorch's CPU builds, without which pip takes the build for graphics cards.
ARG TORCH_INDEX=
COPY requirements/ml.txt requirements/
RUN /venv/bin/pip install --quiet --require-hashes -r requirements/ml.txt
COPY pyproject.toml ./
RUN /venv/bin/pip install --quiet ${TORCH_INDEX:+--index-url ${TORCH_INDEX}} \
      "$(sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)"

FROM ${PYTHON_IMAGE} AS application
LABEL org.opencontainers.image.title="Reader study" org.opencontainers.image.licenses="Apache-2.0"
# Pango and fonts lay out the PDF of a report; the client of PostgreSQL makes backups.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
      fonts-dejavu-core postgresql-client-17 \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --user-group --home-dir /app --shell /usr/sbin/nologin app \
 && install -d -o app -g app /data
# Nothing but /data and /tmp is written, so that the rest may be read-only.
ENV PATH=/venv/bin:$PATH VAR_DIR=/data HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY manage.py LICENSE pyproject.toml ./
COPY templates templates
COPY static static
COPY locale locale
COPY deploy deploy
COPY readerstudy readerstudy
VOLUME /data
USER app

FROM application AS web
COPY --from=packages /venv /venv
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s --retries=3 CMD ["deploy/check", "web"]
CMD ["deploy/web"]

FROM application AS worker
COPY --from=packages-with-torch /venv /venv
COPY models_ml models_ml
COPY attacks attacks
HEALTHCHECK --interval=2m --timeout=30s --start-period=60s --retries=3 CMD ["deploy/check", "worker"]
CMD ["deploy/worker"]

# --- the servers beside it ----------------------------------------------------------------------------------
FROM ${DEBIAN_IMAGE} AS postgres
RUN install -d /etc/postgresql-common \
 && echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf \
 && apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends postgresql-17 \
 && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/lib/postgresql/17/bin:$PATH PGHOST=/run/postgresql PGDATA=/var/lib/postgresql/17
COPY deploy /deploy
VOLUME /var/lib/postgresql
USER postgres
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 CMD ["/deploy/check", "postgres"]
STOPSIGNAL SIGINT
CMD ["/deploy/postgres"]

FROM ${DEBIAN_IMAGE} AS redis
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends redis-server \
 && rm -rf /var/lib/apt/lists/*
ENV REDIS_DATA=/var/lib/redis
COPY deploy /deploy
VOLUME /var/lib/redis
USER redis
HEALTHCHECK --interval=10s --timeout=5s --retries=6 CMD ["/deploy/check", "redis"]
CMD ["/deploy/redis"]

FROM ${DEBIAN_IMAGE} AS proxy
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends nginx-light curl \
 && rm -rf /var/lib/apt/lists/*
COPY deploy /deploy
USER www-data
EXPOSE 8443 8080
HEALTHCHECK --interval=30s --timeout=10s --retries=3 CMD ["/deploy/check", "proxy"]
STOPSIGNAL SIGQUIT
CMD ["/deploy/proxy"]

# --- for trying, each with a profile of docker-compose.yml --------------------------------------------------
FROM ${DEBIAN_IMAGE} AS pacs
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends orthanc orthanc-dicomweb curl \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o orthanc -g orthanc /var/lib/orthanc/db
COPY deploy /deploy
VOLUME /var/lib/orthanc/db
USER orthanc
HEALTHCHECK --interval=30s --timeout=10s --retries=3 CMD ["/deploy/check", "pacs"]
CMD ["/deploy/pacs"]

FROM ${PYTHON_IMAGE} AS sso
COPY requirements/sso.txt requirements/
RUN pip install --quiet --no-cache-dir --require-hashes -r requirements/sso.txt
COPY deploy /deploy
USER nobody
HEALTHCHECK --interval=30s --timeout=10s --retries=3 CMD ["/deploy/check", "sso"]
CMD ["/deploy/sso"]
