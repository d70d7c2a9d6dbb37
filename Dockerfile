# Rendermill: one image for every process. `api` is the default command; `worker`, `up`, `migrate` … are others.
#
#   docker build -t rendermill .
#   docker build -t rendermill --build-arg CJK_FONTS=true .      with Chinese, Japanese and Korean fonts, about 90 MB more
#
# A worker's browser needs shared memory: run it with --shm-size 2g. docker-compose.yml shows the whole.

ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE} AS runtime
ARG CJK_FONTS=false
# util-linux has setpriv, which ties a browser's life to its renderer's; tini takes in the processes that a browser leaves behind.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    ca-certificates \
    chromium-headless-shell \
    fontconfig \
    fonts-liberation \
    fonts-noto-color-emoji \
    fonts-noto-core \
    tini \
    util-linux \
  && if [ "$CJK_FONTS" = true ]; then apt-get install --yes --no-install-recommends fonts-noto-cjk; fi \
  && rm -rf /var/lib/apt/lists/*

# The browser itself: /usr/bin/chromium-headless-shell is a script, and a SIGKILL to it leaves the browser running.
ENV NODE_ENV=production \
  BROWSER_EXECUTABLE=/usr/lib/chromium/chromium-headless-shell \
  HOST=0.0.0.0 \
  PORT=3000 \
  RENDERMILL_HOME=/var/lib/rendermill \
  STORAGE_DIRECTORY=/var/lib/rendermill/storage

WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
# The example compositions, with the sources that they were made for.
COPY remotion remotion

# A volume that is mounted on an empty folder for the first time takes over that folder's owner.
RUN mkdir -p "$STORAGE_DIRECTORY" && chown -R node:node "$RENDERMILL_HOME"
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM

# Of the API, which is the default command. A worker has no port: turn it off there (docker-compose.yml does).
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

ENTRYPOINT ["tini", "--", "node", "dist/apps/cli/main.js"]
CMD ["api"]
