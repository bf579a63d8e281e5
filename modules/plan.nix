# `lib.identity`: the identity plan, which `cim-admin identity make` reads: the fleet, and what each host's sealed file must hold.
#
# Nothing that an identity holds is in it: made or not, the plan is the same.
{ lib }:
{
  # As mkFleet makes it.
  fleet,
  # The flake's nixosConfigurations; those without a secret of ours are left out.
  hosts,
}:
let
  spec = import ./spec.nix { inherit lib; };

  settings = host: host.config.services.cim.sops;
  sealed = lib.filterAttrs (
    _: host: host.config.services ? cim && (settings host).enable && (settings host).entries != { }
  ) hosts;

  # What the desk calls a host is its file's name; a host without one is refused by itself.
  nameOf =
    host:
    let
      inherit (settings host) file;
    in
    if file == null then
      host.config.networking.hostName
    else
      lib.removeSuffix ".yaml" (baseNameOf file);
  shared = lib.filterAttrs (_: names: lib.length names > 1) (
    lib.groupBy (name: nameOf sealed.${name}) (lib.attrNames sealed)
  );
in
lib.throwIf (shared != { })
  ''
    services.cim.sops.file: ${
      lib.concatStringsSep "; " (
        lib.mapAttrsToList (
          file: names: "${lib.concatStringsSep " and " names} both have ${file}.yaml"
        ) shared
      )
    }.
    What is sealed for one host must not be readable by another: give each a file of its own.''
  {
    fleet = spec.fleet fleet.declared;
    hosts = lib.mapAttrs' (_: host: {
      name = nameOf host;
      value = {
        inherit (settings host) hostKey;
        secrets = lib.mapAttrs (_: entry: entry.requirement) (settings host).entries;
      };
    }) sealed;
  }
