# nifty in a container, for a GPU or for the CPU. The first stage compiles it and makes the archive of
# scripts/package; the second has that archive and PyPI's torch with CUDA, and no compiler.
#
#   docker build --tag nifty .
#   docker run --rm --gpus all --volume "$PWD:/work" nifty generate --network emoji --out pictures "red heart"
FROM swift:6.3-bookworm AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils patchelf xz-utils \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /nifty
COPY . .
RUN scripts/package --out /dist

FROM python:3.11-slim-bookworm
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Sheets of pictures need a font, films ffmpeg.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg fonts-open-sans fonts-vlgothic xz-utils \
    && rm -rf /var/lib/apt/lists/*
# The version that the programs were compiled with: scripts/requirements.txt.
RUN pip install --no-cache-dir torch==2.13.0
COPY --from=build /dist/ /tmp/dist/
RUN mkdir /opt/nifty \
    && tar --extract --strip-components=1 --directory /opt/nifty --file /tmp/dist/nifty-*.tar.xz \
    && rm -r /tmp/dist
WORKDIR /work
ENTRYPOINT ["/opt/nifty/nifty"]
