# deploy-activate: every profile's path has what an activate function makes.
{ lib, pkgs }:
deploy:
let
  profiles = lib.concatLists (
    lib.mapAttrsToList (
      node: settings:
      lib.mapAttrsToList (profile: { path, ... }: ''
        for script in deploy-rs-activate activate-rs; do
          if [ ! -x "${path}/$script" ]; then
            echo "deploy.nodes.${node}.profiles.${profile}.path has no $script: use deploy-rs.lib.<system>.activate" >&2
            exit 1
          fi
        done
      '') settings.profiles
    ) deploy.nodes
  );
in
pkgs.runCommand "deploy-activate" { } ''
  ${lib.concatStrings profiles}
  echo ${toString (lib.length profiles)} profiles > $out
''
