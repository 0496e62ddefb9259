# Two images from one file: `web` serves the pages and has no torch; `worker` adds torch and runs the lab's jobs.
#   docker build --target web .
#   docker build --target worker .
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS web
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Pango and fonts lay out the PDF of a report.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /app app \
 && install -d -o app -g app /data
WORKDIR /app
COPY requirements/web.txt requirements/
RUN pip install --quiet --require-hashes -r requirements/web.txt
COPY manage.py LICENSE ./
COPY readerstudy readerstudy
COPY templates templates
COPY static static
COPY locale locale
ENV VAR_DIR=/data
VOLUME /data
USER app
EXPOSE 8000
CMD ["gunicorn", "readerstudy.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", \
     "--threads", "4", "--no-control-socket", "--log-level", "warning"]

FROM web AS worker
# The index of PyTorch's CPU builds, without which pip takes the build for graphics cards.
ARG TORCH_INDEX=
USER root
COPY requirements/ml.txt requirements/
RUN pip install --quiet --require-hashes -r requirements/ml.txt
COPY pyproject.toml ./
RUN pip install --quiet ${TORCH_INDEX:+--index-url ${TORCH_INDEX}} \
      "$(sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)"
COPY models_ml models_ml
COPY attacks attacks
USER app
CMD ["python", "manage.py", "work", "--queue", "cpu"]
