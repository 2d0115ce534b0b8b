package stack

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Table is a DynamoDB table of the template.
type Table struct {
	LogicalID string
	Name      string // what Ref gives
	Line      int    // of the template
	TTL       string // the attribute that says when items expire; "": none
	OnDemand  bool   // billed on demand on AWS; here every table is

	input *dynamodb.CreateTableInput
}

// tables makes the tables.
func (b *builder) tables() {
	for _, r := range b.ofType(typeTable, typeSimpleTable) {
		name, err := b.physical(r)
		if err != nil {
			b.problems.failed(r.id, err)
			continue
		}
		t := &Table{LogicalID: r.id, Name: name, Line: r.entry.line}
		t.input = &dynamodb.CreateTableInput{
			TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
		}
		if r.typ == typeSimpleTable {
			b.simpleTable(r, t)
		} else {
			b.table(r, t)
		}
		b.stack.Tables = append(b.stack.Tables, t)
	}
	for _, r := range b.ofType("AWS::DynamoDB::GlobalTable") {
		b.warnf(r.id, r.entry, "a global table does not run here: it is not made")
	}
}

// simpleTable reads SAM's table, whose key is id where it has none.
func (b *builder) simpleTable(r *resource, t *Table) {
	key := b.prop(r, "PrimaryKey")
	t.OnDemand = b.prop(r, "ProvisionedThroughput").kind == null
	name := cmp.Or(key.get("Name").text, "id")
	kind := map[string]types.ScalarAttributeType{
		"Number": types.ScalarAttributeTypeN, "Binary": types.ScalarAttributeTypeB,
	}[key.get("Type").text]
	t.input.KeySchema = []types.KeySchemaElement{{AttributeName: &name, KeyType: types.KeyTypeHash}}
	t.input.AttributeDefinitions = []types.AttributeDefinition{
		{AttributeName: &name, AttributeType: cmp.Or(kind, types.ScalarAttributeTypeS)},
	}
}

// table reads a table as CloudFormation has it. Throughput is not told apart: all are on demand.
func (b *builder) table(r *resource, t *Table) {
	t.OnDemand = b.text(r, "BillingMode") == string(types.BillingModePayPerRequest)
	t.input.KeySchema = keys(b.prop(r, "KeySchema"))
	if len(t.input.KeySchema) == 0 {
		b.errorf(r.id, r.entry, "the table has no KeySchema")
	}
	if !t.OnDemand && b.prop(r, "ProvisionedThroughput").kind == null {
		b.warnf(r.id, r.entry, "the table has neither BillingMode PAY_PER_REQUEST nor a"+
			" ProvisionedThroughput: AWS refuses it")
	}
	used := map[string]bool{}
	note := func(schema []types.KeySchemaElement) []types.KeySchemaElement {
		for _, k := range schema {
			used[*k.AttributeName] = true
		}
		return schema
	}
	note(t.input.KeySchema)
	for _, index := range b.prop(r, "GlobalSecondaryIndexes").items {
		t.input.GlobalSecondaryIndexes = append(t.input.GlobalSecondaryIndexes,
			types.GlobalSecondaryIndex{
				IndexName:  aws.String(index.get("IndexName").text),
				KeySchema:  note(keys(index.get("KeySchema"))),
				Projection: projection(index.get("Projection")),
			})
	}
	for _, index := range b.prop(r, "LocalSecondaryIndexes").items {
		t.input.LocalSecondaryIndexes = append(t.input.LocalSecondaryIndexes,
			types.LocalSecondaryIndex{
				IndexName:  aws.String(index.get("IndexName").text),
				KeySchema:  note(keys(index.get("KeySchema"))),
				Projection: projection(index.get("Projection")),
			})
	}
	b.attributes(r, t, used)
	if ttl := b.prop(r, "TimeToLiveSpecification"); ttl.get("Enabled").truth() {
		t.TTL = ttl.get("AttributeName").text
	}
	if stream := b.prop(r, "StreamSpecification"); stream.kind == object {
		b.warnf(r.id, stream, "the table's stream does not run here: no function is called for"+
			" its changes")
	}
}

// attributes reads the types of the key attributes, which must be those that the keys use.
func (b *builder) attributes(r *resource, t *Table, used map[string]bool) {
	defined := b.prop(r, "AttributeDefinitions")
	for _, d := range defined.items {
		name, kind := d.get("AttributeName").text, d.get("AttributeType").text
		if !used[name] {
			b.errorf(r.id, d, "the attribute %s is in no key of the table: only attributes of"+
				" keys are defined", name)
		}
		delete(used, name)
		t.input.AttributeDefinitions = append(t.input.AttributeDefinitions,
			types.AttributeDefinition{
				AttributeName: aws.String(name), AttributeType: types.ScalarAttributeType(kind),
			})
	}
	for name := range used {
		b.errorf(r.id, r.entry, "the key attribute %s is not among the AttributeDefinitions", name)
	}
}

// keys reads a KeySchema.
func keys(v *value) []types.KeySchemaElement {
	var schema []types.KeySchemaElement
	for _, k := range v.items {
		schema = append(schema, types.KeySchemaElement{
			AttributeName: aws.String(k.get("AttributeName").text),
			KeyType:       types.KeyType(k.get("KeyType").text),
		})
	}
	return schema
}

// projection reads what an index holds, all where the template does not say.
func projection(v *value) *types.Projection {
	return &types.Projection{
		ProjectionType: types.ProjectionType(cmp.Or(v.get("ProjectionType").text,
			string(types.ProjectionTypeAll))),
		NonKeyAttributes: v.get("NonKeyAttributes").texts(),
	}
}
