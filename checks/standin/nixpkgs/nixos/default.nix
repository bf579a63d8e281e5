# The NixOS options that this project's modules and hosts set. Any other option is an error, on purpose.
{
  imports = [
    ./etc.nix
    ./machine.nix
    ./monitoring.nix
    ./networking.nix
    ./nixpkgs.nix
    ./programs.nix
    ./systemd.nix
    ./toplevel.nix
    ./users.nix
  ];
}
