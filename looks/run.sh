#!/usr/bin/env bash
# Runs shipped scenarios and looks at their pages: looks/run.sh [--axe-only] [SCENARIO..]
# Screenshots go below looks/out. Needs Chromium (CHROMIUM=.., else /usr/bin/chromium), and `npm ci` in this directory.
set -euo pipefail
cd "$(dirname "$0")/.."

short=()
if [ "${1:-}" = --axe-only ]; then
    short=(--axe-only)
    shift
fi
scenarios=("$@")
if [ $# -eq 0 ]; then
    scenarios=(leader-partition majority-power-loss steady-state leader-crash read-without-quorum ack-before-fsync
        lease-ignores-drift storm)
fi

profile=${PROFILE:-release}
cargo build --profile "$profile" --quiet
stormglass=${CARGO_TARGET_DIR:-target}/$profile/stormglass
pages=()
for scenario in "${scenarios[@]}"; do
    dir=looks/out/runs/$scenario
    # By its exit code a run tells its verdict, and some are made to fail; only what was not run is an error here.
    "$stormglass" run "scenarios/files/raft/$scenario.toml" --out "$dir" --format json > /dev/null || [ $? -ne 2 ]
    pages+=("$dir/report.html")
done
# And a sweep: each page is named after its directory.
if [ $# -eq 0 ]; then
    mkdir -p looks/out/runs/sweep
    rm -f looks/out/runs/sweep/swarm.db
    "$stormglass" sweep scenarios/files/dynamo/swarm.toml --seeds 200 --db looks/out/runs/sweep/swarm.db > /dev/null || [ $? -ne 2 ]
    "$stormglass" report looks/out/runs/sweep/swarm.db > /dev/null
    pages+=("looks/out/runs/sweep/swarm.html")
fi
node looks/look.js looks/out "${pages[@]}" "${short[@]}"
