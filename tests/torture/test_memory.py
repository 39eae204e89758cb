"""Too little memory: a process that can't have it ends, with a word, and with enough it ends as ever."""

import sys

TOO_LITTLE = {  # a stage -> MiB of address space
    "download": (100, 200),
    "train_grid": (500, 1000),
}


def test_a_stage_that_gets_too_little_memory_ends_and_with_enough_it_ends_as_ever(study, finished, tried):
    for stage, limits in TOO_LITTLE.items():
        study.forget(".cxrbench/phantoms") if stage == "download" else study.forget_runs()
        told = []
        for mebibytes in limits:
            limit = f'ulimit -v {mebibytes * 1024}; exec "$0" -m cxrbench.stages.{stage}'
            process = study.start("sh", "-c", limit, sys.executable, OPENBLAS_NUM_THREADS="1")
            code, said = process.wait(300), study.said()
            assert code != 0, said
            told.append(said.strip().splitlines()[-1])
        study.run(f"stage:{stage}")
        output = f"data/{stage.replace('_', '-')}"
        assert study.content(output) == finished.content(output)
        tried(f"stage {stage} with {' and '.join(map(str, limits))} MiB of address space", len(limits), told[-1])
