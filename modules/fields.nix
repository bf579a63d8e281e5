# Options for the fields that pass straight through: one row of crates/cim-spec/fields/<block>.json each for nats.conf, of
# crates/cim-spec/assets/<type>.json for JetStream assets.
#
# The same rows tell the generator what to check and write, and triggers.nix what nats-server takes over on reload.
{ lib }:
let
  inherit (lib) mkOption types;

  read = file: builtins.fromJSON (builtins.readFile file);
  assets =
    let
      folder = ../crates/cim-spec/assets;
      names = map (lib.removeSuffix ".json") (lib.attrNames (builtins.readDir folder));
    in
    lib.genAttrs names (name: read (folder + "/${name}.json"));

  table =
    block:
    if assets ? ${block} then
      assets.${block} // { fields = lib.concatMap parts assets.${block}.fields; }
    else
      read (../crates/cim-spec/fields + "/${block}.json");

  # What an asset's part holds stands under the part's option; a row without one is no option.
  parts =
    row:
    if !(row ? option) then
      [ ]
    else if row.type != "part" then
      [ row ]
    else
      map (
        inner:
        inner
        // {
          option = "${row.option}.${inner.option}";
          key = "${row.key}.${inner.key}";
        }
      ) (lib.filter (inner: inner ? option) assets.${row.of}.fields);

  transform = types.submodule {
    options = lib.genAttrs [ "src" "dest" ] (
      name:
      mkOption {
        type = types.str;
        description =
          (lib.findFirst (row: row.key == name) { } assets.subject-transform.fields).description;
      }
    );
  };

  # The rows of a block for one role (hub or leaf) and, of `tls`, one kind of connection.
  rows =
    {
      block,
      role ? null,
      context ? null,
    }:
    lib.filter (
      row:
      (role == null || lib.elem role (row.roles or [ role ]))
      && (context == null || lib.elem context (row."in" or [ context ]))
    ) (table block).fields;

  pathOf = row: lib.splitString "." row.option;

  # The shape of one value; what is in a text, the generator checks.
  shape =
    row:
    {
      bool = types.bool;
      int = types.ints.between (row.min or (-9007199254740991)) (row.max or 9007199254740991);
      port = types.port;
      enum = types.enum row.values;
      enums = types.listOf (types.enum row.values);
      texts = types.listOf types.str;
      list = types.listOf types.str;
      durations = types.listOf types.str;
      transforms = types.listOf transform;
      subjects = types.listOf types.str;
      textMap = types.attrsOf types.str;
      boolMap = types.attrsOf types.bool;
    }
    .${row.type} or types.str;

  option =
    doc: row:
    mkOption {
      type = types.nullOr (shape row);
      default = null;
      inherit (row) example;
      description = ''
        ${row.description} `null`: nats-server's own, ${row.default}. NATS: `${row.key}`, see
        <${doc}>.
      '';
    };
in
{
  inherit rows;

  # The options of some rows, as a tree.
  options =
    choice:
    let
      inherit (table choice.block) doc;
    in
    lib.foldl' lib.recursiveUpdate { } (
      map (row: lib.setAttrByPath (pathOf row) (option doc row)) (rows choice)
    );

  # What is set of them, by the options' paths: the spec's `fields`.
  set =
    choice: options:
    lib.listToAttrs (
      lib.concatMap (
        row:
        let
          value = lib.attrByPath (pathOf row) null options;
        in
        lib.optional (value != null) {
          name = row.option;
          inherit value;
        }
      ) (rows choice)
    );
}
