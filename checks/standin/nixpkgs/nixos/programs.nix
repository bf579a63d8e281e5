# Services and settings of NixOS itself that hosts turn on.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  ssh = config.services.openssh;
  setting =
    type: default:
    mkOption {
      type = types.nullOr type;
      inherit default;
    };
  hostKey = {
    options = {
      path = mkOption { type = types.str; };
      type = mkOption { type = types.str; };
      bits = mkOption {
        type = types.nullOr types.int;
        default = null;
      };
    };
  };
in
{
  options = {
    services.openssh = {
      enable = lib.mkEnableOption "the OpenSSH server";
      openFirewall = mkOption {
        type = types.bool;
        default = true;
      };
      ports = mkOption {
        type = types.listOf types.port;
        default = [ 22 ];
      };
      hostKeys = mkOption {
        type = types.listOf (types.submodule hostKey);
        default = [
          {
            type = "rsa";
            bits = 4096;
            path = "/etc/ssh/ssh_host_rsa_key";
          }
          {
            type = "ed25519";
            path = "/etc/ssh/ssh_host_ed25519_key";
          }
        ];
      };
      settings = {
        PasswordAuthentication = setting types.bool true;
        KbdInteractiveAuthentication = setting types.bool true;
        PermitRootLogin = setting (types.enum [
          "yes"
          "without-password"
          "prohibit-password"
          "forced-commands-only"
          "no"
        ]) "prohibit-password";
      };
    };
    services.timesyncd.enable = mkOption {
      type = types.bool;
      default = true;
    };
    security.sudo.wheelNeedsPassword = mkOption {
      type = types.bool;
      default = true;
    };
    nix.settings = mkOption {
      type = types.attrsOf types.anything;
      default = { };
    };
  };

  config.networking.firewall.allowedTCPPorts = lib.mkIf (ssh.enable && ssh.openFirewall) ssh.ports;
}
