# syntax=docker/dockerfile:1
FROM python:3.11-slim AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9 && uv venv /opt/longrun
WORKDIR /src
# requirements-offline.lock adds what hears and embeds without a vendor's key.
ARG LOCK=requirements.lock
# Dependencies first: this layer changes only with the lock.
COPY ${LOCK} ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install --python /opt/longrun --require-hashes -r ${LOCK}
COPY . .
RUN --mount=type=cache,target=/root/.cache/uv \
    uv build --wheel --build-constraints requirements-dev.lock --require-hashes --out-dir /dist \
    && uv pip install --python /opt/longrun --no-deps --no-index /dist/*.whl

# The environment alone: top-level packages named `api` or `domain` must meet no source tree and no other project.
FROM python:3.11-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 longrun \
    && install --directory --owner longrun --mode 700 /home/longrun/recordings
COPY --from=build /opt/longrun /opt/longrun
ENV PATH=/opt/longrun/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER longrun
WORKDIR /home/longrun
EXPOSE 8000
ENTRYPOINT ["longrun"]
CMD ["--help"]
