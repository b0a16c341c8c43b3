# Vestibule in a container: one static program, CA certificates, no shell, user 65532.
#
#   docker build -t vestibule .
#   docker run --read-only -p 127.0.0.1:8080:8080 -v vestibule-data:/data \
#     -e VESTIBULE_PUBLIC_URL=… -e VESTIBULE_MAIL_URL=… -e VESTIBULE_MAIL_FROM=… vestibule
#
# BUILD_BASE needs Rust, a C compiler for the host and CA certificates. RUN_BASE may be any Linux image, e.g. one with
# a shell: the program brings everything it needs.
ARG BUILD_BASE=rust:1.95-bookworm
ARG RUN_BASE=scratch

FROM ${BUILD_BASE} AS build
# The toolchain of the base as it is: rust-toolchain.toml would fetch rustfmt and clippy, which a build does not need.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
# The caches only save time between builds. `--target` keeps the static C library away from build scripts and macros.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    set -eu; \
    host=$(rustc --print host-tuple); \
    RUSTFLAGS='-C target-feature=+crt-static' \
      cargo build --release --locked --package vestibule-server --target "$host"; \
    install -D -m 0755 "target/$host/release/vestibule" /image/usr/local/bin/vestibule; \
    install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt; \
    echo 'vestibule:x:65532:65532:Vestibule:/data:/usr/sbin/nologin' > /image/etc/passwd; \
    echo 'vestibule:x:65532:' > /image/etc/group; \
    mkdir -p /owned && install -d -m 0700 /owned/data

FROM ${RUN_BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Vestibule" \
      org.opencontainers.image.description="The accounts server for an application: sign-up, e-mail confirmation, sign-in." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/ /
COPY --from=build --chown=65532:65532 /owned/ /
# SQLite puts large sorts into SQLITE_TMPDIR: with it the root file system may be read-only.
ENV VESTIBULE_DATA_DIR=/data \
    VESTIBULE_LISTEN=0.0.0.0:8080 \
    SQLITE_TMPDIR=/data
USER 65532:65532
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/vestibule", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/vestibule"]
CMD ["serve"]
