# The images of Backend-089: docker build --target producer | consumer | simulator
#
# One build for all three. Dependencies and earlier compilations are kept in cache mounts, so a rebuild compiles
# what changed. Nothing of the build but the binaries reaches an image.

FROM rust:1.95-slim-trixie AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --package producer --package consumer --package simulator \
    && mkdir /binaries \
    && cp target/release/producer target/release/consumer target/release/simulator /binaries/

# What the binaries need: the C library, PostgreSQL's client library, and the certificates of public authorities.
FROM debian:trixie-slim AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libpq5 \
    && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/*
# A user that owns nothing; a number, so that a runtime can see that it is not root.
USER 10089:10089
WORKDIR /

FROM base AS producer
COPY --from=build /binaries/producer /usr/local/bin/
ENTRYPOINT ["producer"]
CMD ["watch"]

FROM base AS consumer
COPY --from=build /binaries/consumer /usr/local/bin/
ENTRYPOINT ["consumer"]

# The stand-in for the API, to try the whole thing without an account.
FROM base AS simulator
COPY --from=build /binaries/simulator /usr/local/bin/
ENTRYPOINT ["simulator"]
