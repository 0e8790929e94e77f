# The server and its simulated town. What is copied is what runs: there is no build, and the Node that runs comes by npm.
FROM node:24-bookworm-slim AS install
WORKDIR /vigie
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
RUN mkdir -p data

# No shell, no package manager, no root.
FROM gcr.io/distroless/cc-debian12:nonroot
WORKDIR /vigie
COPY --from=install /vigie/node_modules ./node_modules
COPY package.json cli.ts LICENSE ./
COPY protocol ./protocol
COPY control ./control
COPY edge ./edge
COPY server ./server
COPY simulators ./simulators
COPY rehearsal ./rehearsal
COPY cli ./cli
COPY --from=install --chown=nonroot:nonroot /vigie/data /data
ENV VIGIE_HOST=0.0.0.0 VIGIE_PORT=8080 VIGIE_DATA=/data
VOLUME /data
EXPOSE 8080
USER nonroot
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["node_modules/.bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.VIGIE_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node_modules/.bin/node", "cli.ts"]
CMD ["start"]
