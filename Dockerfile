# Gatepost in a container: a user of its own, no right but to bind low ports, its health asked of itself.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
RUN python3 -m venv /opt/gatepost
COPY requirements.lock ./
RUN /opt/gatepost/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /opt/gatepost/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

# Debian's own Python: the virtual environment above is bound to it, and it is a fast one.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10025 gatepost \
    && useradd --uid 10025 --gid gatepost --no-create-home --shell /usr/sbin/nologin gatepost \
    && install -d -o gatepost -g gatepost -m 700 /var/lib/gatepost /etc/gatepost
COPY --from=build /opt/gatepost /opt/gatepost
ENV PATH=/opt/gatepost/bin:$PATH \
    GATEPOST_CONFIG=/etc/gatepost/gatepost.toml \
    PYTHONDONTWRITEBYTECODE=1
USER gatepost
VOLUME ["/etc/gatepost", "/var/lib/gatepost"]
EXPOSE 25 110 465 587 995 8025
STOPSIGNAL SIGTERM
# Exit status 1 when nothing runs, or it does not answer. Podman and Buildah keep it with `--format docker`.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["gatepost", "status", "--json"]
ENTRYPOINT ["gatepost"]
CMD ["run"]
