# nats-server versions to stay away from: version → what to do. The list is cim-spec's.
{ lib }:
lib.listToAttrs (
  map
    (line: {
      name = lib.head (lib.splitString " " line);
      value = "nats-server ${line}";
    })
    (
      lib.filter (line: line != "") (
        lib.splitString "\n" (builtins.readFile ../crates/cim-spec/src/known-bad.txt)
      )
    )
)
