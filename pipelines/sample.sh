#!/usr/bin/env bash
# The main job on the generated sample: sample, prepare, train, evaluate, translate.
# Each step is a command of the README, shown before it runs and passed over when its result is
# there; a stopped one goes on when this is run again.
#
#     pipelines/sample.sh [FOLDER]          MINUTES=2.5 is the time to train
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=${1:-runs/sample}
minutes=${MINUTES:-2.5}
settings=pipelines/sample.yaml
longspan=.venv/bin/longspan
[[ -x $longspan ]] || longspan=longspan # installed by other means than the Makefile

# step RESULT INPUT ARGUMENT...: `longspan ARGUMENT...`, unless RESULT is there and INPUT, if there
# is one, is not newer.
step() {
    local result=$1 input=$2
    shift 2
    printf '\n$ longspan %s\n' "$*"
    if [[ -e $result && (-z $input || ! $input -nt $result) ]]; then
        echo "up to date: $result"
    else
        "$longspan" "$@"
    fi
}

# Checkpoints belong to their settings: with other ones training starts afresh.
mkdir -p "$runs"
if ! cmp -s "$settings" "$runs/settings.yaml"; then
    rm -rf "$runs/model" "$runs/model.checkpoints"
    cp "$settings" "$runs/settings.yaml"
fi

step "$runs/data/sample.json" "" \
    sample --pairs 20000 --seed 1 --validation 800 --out "$runs/data"
step "$runs/prepared/manifest.json" "$runs/data/sample.json" \
    prepare "$runs/data/train.tsv" --overwrite --validation "$runs/data/validation.tsv" \
    --test "$runs/data/test.tsv" --vocabulary-size 1000 --out "$runs/prepared"
step "$runs/model/config.json" "$runs/prepared/manifest.json" \
    train "$runs/prepared" --out "$runs/model" --config "$settings" --max-minutes "$minutes"
# The table is kept for the next time, when there is nothing to measure.
table=$runs/evaluation/table.txt
step "$table" "$runs/model/config.json" \
    evaluate "$runs/model" "$runs/prepared/test.tsv" --out "$runs/evaluation" |
    tee "$runs/evaluation.log"
if grep -q '^up to date' "$runs/evaluation.log"; then
    cat "$table"
else
    grep -v '^\$' "$runs/evaluation.log" > "$table"
fi

# One test sentence of more than 100 words, by the columns that the header names.
for side in source target; do
    awk -F '\t' -v side="$side" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        split($at["source"], words, " ") > 100 { print $at[side]; exit }
    ' "$runs/prepared/test.tsv" > "$runs/long.$side.txt"
done
printf '\n$ longspan translate %s %s\n' "$runs/model" "$runs/long.source.txt"
printf 'source (%s words): ' "$(wc -w < "$runs/long.source.txt")"
cat "$runs/long.source.txt"
printf '\ntranslation: '
"$longspan" translate "$runs/model" "$runs/long.source.txt" | tee "$runs/long.translation.txt"
printf '\nreference: '
cat "$runs/long.target.txt"

printf '\nThe model lies in %s\n' "$runs/model"
