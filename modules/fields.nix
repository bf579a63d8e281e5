# Options for the fields of nats.conf that pass straight through: one row of crates/cim-spec/fields/<block>.json each.
#
# The same rows tell the generator what to check and write, and triggers.nix what nats-server takes over on reload.
{ lib }:
let
  inherit (lib) mkOption types;

  table = block: builtins.fromJSON (builtins.readFile (../crates/cim-spec/fields + "/${block}.json"));

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
