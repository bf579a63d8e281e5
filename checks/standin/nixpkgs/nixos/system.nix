# nixosSystem: a host's modules, with the options of this folder, become a configuration.
{ lib }:
{
  modules,
  system ? null,
  specialArgs ? { },
  prefix ? [ ],
}:
let
  evaluation = lib.evalModules {
    inherit prefix;
    class = "nixos";
    specialArgs = {
      modulesPath = toString ./.;
    }
    // specialArgs;
    modules = [
      ./default.nix
      {
        nixpkgs.system = lib.mkIf (system != null) (lib.mkDefault system);
        _module.args = { inherit modules; };
      }
    ]
    ++ modules;
  };
in
evaluation
// {
  inherit (evaluation._module.args) pkgs;
  inherit lib;
}
