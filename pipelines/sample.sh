#!/usr/bin/env bash
# The main job on the generated sample: sample, prepare, train, evaluate, translate.
# Each step is a command of the README, shown before it runs and passed over when its result is
# there; a stopped one goes on when this is run again.
#
#     pipelines/sample.sh [FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=${1:-runs/sample}
minutes=${MINUTES:-2.5}
# Small enough to learn the sample in that time on two cores.
settings=(
    --set attention_type=scaled_dot
    --set attention_dimension=128
    --set rnn_num_hidden=256
    --set num_embed_source=128
    --set num_embed_target=128
    --set tie_embeddings=target
    --set learning_rate=0.002
    --set lr_scheduler_type=cosine
    --set batch_tokens=1500
    --set length_augmentation=0.5
    --set checkpoint_frequency_num_batches=400
)

longspan=.venv/bin/longspan
if [[ ! -x $longspan ]]; then
    longspan=longspan # installed by other means than the Makefile
fi

# step RESULT ARGUMENT...: run `longspan ARGUMENT...` unless the file RESULT is there.
step() {
    local result=$1
    shift
    printf '\n$ longspan %s\n' "$*"
    if [[ -e $result ]]; then
        echo "up to date: $result"
    else
        "$longspan" "$@"
    fi
}

step "$runs/data/test.tsv" sample --pairs 20000 --seed 1 --out "$runs/data"
step "$runs/prepared/manifest.json" prepare "$runs/data/train.tsv" \
    --test "$runs/data/test.tsv" --out "$runs/prepared"
step "$runs/model/config.json" train "$runs/prepared" --out "$runs/model" \
    --max-minutes "$minutes" "${settings[@]}"
step "$runs/evaluation/evaluation.json" evaluate "$runs/model" "$runs/prepared/test.tsv" \
    --out "$runs/evaluation"
