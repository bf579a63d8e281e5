# Versions of nats-server that are known to be bad.
_:
let
  withVersion = version: option: {
    host =
      { lib, pkgs, ... }:
      lib.setAttrByPath option (
        pkgs.nats-server
        // {
          inherit version;
        }
      );
  };
in
{
  "a leaf with a known-bad version" = withVersion "2.14.4" [
    "services"
    "cim"
    "leaves"
    "a"
    "package"
  ];
  "a hub with a known-bad version" = withVersion "2.12.14" [
    "services"
    "cim"
    "hub"
    "package"
  ];
  "the version that mended it" = withVersion "2.14.5" [
    "services"
    "cim"
    "hub"
    "package"
  ];
}
