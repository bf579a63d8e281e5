# One line of tmpfiles.d, as systemd.tmpfiles.settings.<group>.<path>.<type> takes it.
{ lib }:
{ name, ... }:
let
  inherit (lib) mkOption types;
  text =
    default:
    mkOption {
      type = types.str;
      inherit default;
    };
in
{
  options = {
    type = text name;
    mode = text "-";
    user = text "-";
    group = text "-";
    age = text "-";
    argument = text "";
  };
}
