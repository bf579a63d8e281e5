# networking.*: name, addresses and firewall of a host.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  ports = mkOption {
    type = types.listOf types.port;
    default = [ ];
    apply = list: lib.unique (lib.sort (a: b: a < b) list);
  };
  ranges = mkOption {
    type = types.listOf (types.attrsOf types.port);
    default = [ ];
  };
  openings = {
    allowedTCPPorts = ports;
    allowedUDPPorts = ports;
    allowedTCPPortRanges = ranges;
    allowedUDPPortRanges = ranges;
  };
  bool =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };
  strings = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  addresses = mkOption {
    type = types.listOf (
      types.submodule {
        options = {
          address = mkOption { type = types.str; };
          prefixLength = mkOption { type = types.ints.between 0 128; };
        };
      }
    );
    default = [ ];
  };
in
{
  options.networking = {
    hostName = mkOption {
      type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$";
      default = "nixos";
    };
    domain = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
    };
    extraHosts = mkOption {
      type = types.lines;
      default = "";
    };
    nameservers = strings;
    timeServers = strings;
    useDHCP = bool true;
    useNetworkd = bool false;
    nftables.enable = bool false;
    defaultGateway = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
    interfaces = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            useDHCP = mkOption {
              type = types.nullOr types.bool;
              default = null;
            };
            ipv4.addresses = addresses;
            ipv6.addresses = addresses;
          };
        }
      );
      default = { };
    };
    firewall = openings // {
      enable = bool true;
      allowPing = bool true;
      trustedInterfaces = strings;
      interfaces = mkOption {
        type = types.attrsOf (types.submodule { options = openings; });
        default = { };
      };
    };
  };
}
