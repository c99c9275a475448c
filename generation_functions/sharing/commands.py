"""The commands `card`, `bundle`, `unbundle` and `push`."""

import argparse
from pathlib import Path
from typing import Any

_GB = 1000**3


def add_commands(commands: Any) -> None:
    """Add the commands to the parser's (argparse's own type has no public name)."""
    card = commands.add_parser("card", help="write a run's dataset card anew from its records")
    card.add_argument("run_dir", type=Path)
    card.set_defaults(act=_card)
    bundle = commands.add_parser("bundle", help="pack a run into one file, to go on elsewhere")
    bundle.add_argument("run_dir", type=Path)
    bundle.add_argument("file", type=Path, help="a .zip that is not there yet")
    bundle.add_argument(
        "--with-inputs", action="store_true", help="the documents too, so that all stages can run"
    )
    bundle.set_defaults(act=_bundle)
    unbundle = commands.add_parser("unbundle", help="unpack a bundle into a new folder")
    unbundle.add_argument("file", type=Path)
    unbundle.add_argument("folder", type=Path)
    unbundle.add_argument(
        "--most-gigabytes", type=float, default=100, help="refuse a larger one (100)"
    )
    unbundle.set_defaults(act=_unbundle)
    push = commands.add_parser("push", help="upload a run's datasets to the Hugging Face hub")
    push.add_argument("run_dir", type=Path)
    push.add_argument("repo", help="owner/name; made, if it is not there")
    push.add_argument("--public", action="store_true", help="everybody may read it; else private")
    push.add_argument("--dry-run", action="store_true", help="only list what would go")
    push.set_defaults(act=_push)


def _card(options: argparse.Namespace) -> None:
    from generation_functions.card.rewriting import rewrite_card
    from generation_functions.session import read_config
    from generation_functions.status import read_status
    from generation_functions.steps.lock import hold_run

    folder, status = options.run_dir, read_status(options.run_dir)
    with hold_run(folder, "card"):
        print(rewrite_card(folder, read_config(folder / "config.yaml"), status))


def _bundle(options: argparse.Namespace) -> None:
    from generation_functions.sharing.bundling import bundle

    packed = bundle(options.run_dir, options.file, options.with_inputs)
    size = options.file.stat().st_size
    print(f"{options.file}: {len(packed.files):,} files, {packed.size:,} bytes, packed {size:,}.")
    _say_needs("Not in it, and wanted where the run goes on:", packed.describe_needs())


def _unbundle(options: argparse.Namespace) -> None:
    from generation_functions.sharing.unbundling import tell_difference, unbundle

    packed = unbundle(options.file, options.folder, int(options.most_gigabytes * _GB))
    print(f"{options.folder}: {len(packed.files):,} files, {packed.size:,} bytes, all as packed.")
    if difference := tell_difference(packed):
        print(difference)
    _say_needs("Put into that folder, or change its config.yaml:", packed.describe_needs())
    print(f"Then: python -m generation_functions run {options.folder / 'config.yaml'}")


def _say_needs(head: str, needs: list[str]) -> None:
    if needs:
        print("\n  ".join([head, *needs]))


def _push(options: argparse.Namespace) -> None:
    from generation_functions.sharing.push import list_outgoing, list_places, push

    outgoing = list_outgoing(options.run_dir)
    for one in outgoing:
        print(f"{one.size:>15,}  {one.name}")
    total = f"{sum(one.size for one in outgoing):,} bytes"
    kept = "public: everybody may read it" if options.public else "private"
    print(f"{total} in {len(outgoing)} files, to the dataset {options.repo}, {kept}")
    for place in list_places(options.run_dir):
        print(
            f"It names {place}, a place on this machine: `name` in `path.input_dirs` calls the "
            "folder otherwise, and then all stages run again."
        )
    if options.dry_run:
        print("Nothing was sent (--dry-run).")
        return
    done = push(options.run_dir, options.repo, options.public)
    print(f"{done.url} ({'private' if done.private else 'public'}), commit {done.commit[:12]}")
