# The hub as an image. `docker build -t sluice .`, then mount a folder with sluice.yaml and its pipelines at /hub; data is in /data.
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Without the scripts of packages: one of them would fetch a second Node.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY connectors ./connectors
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json
RUN npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY docker/health-check.js ./health-check.js
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
RUN ln -s /app/dist/src/cli/main.js /usr/local/bin/sluice \
  && chmod +x dist/src/cli/main.js \
  && mkdir /data /hub \
  && chown node:node /data
USER node
WORKDIR /hub
VOLUME /data
# The token is asked for where the API listens beyond the container's own loopback.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "/app/health-check.js", "http://127.0.0.1:8686/health", "/data/api.token"]
ENTRYPOINT ["sluice"]
CMD ["run"]
