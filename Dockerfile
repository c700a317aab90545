# The program in a container: `docker build -t billstack .`
FROM rust:1-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
WORKDIR /source
COPY . .
RUN cargo build --release --locked --package billstack

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/billstack billstack
COPY --from=build /source/target/release/billstack /usr/local/bin/billstack
USER billstack
WORKDIR /var/lib/billstack
VOLUME /var/lib/billstack
ENV DATABASE_URL=sqlite:///var/lib/billstack/billstack.db BILLSTACK_LISTEN=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["billstack"]
CMD ["serve"]
