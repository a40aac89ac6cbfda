using Carrel.Server.Accounts;
using Carrel.Server.Actions;
using Carrel.Server.Idempotency;
using Microsoft.OpenApi;

namespace Carrel.Server.Hosting;

/// <summary>The OpenAPI 3.1 document, generated from the endpoints.</summary>
internal static class OpenApi
{
    private const string KeyScheme = "apiKey";

    public static void AddCarrelOpenApi(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Carrel",
                Version = Health.Version,
                Description = "Real desktop computers for AI agents.",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [KeyScheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "sk_live_..." },
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            var metadata = context.Description.ActionDescriptor.EndpointMetadata;
            foreach (var (name, type, meaning) in metadata.OfType<QueryParameters>().SelectMany(parameters => parameters.All))
            {
                (operation.Parameters ??= []).Add(Query(name, type, meaning));
            }

            if (metadata.OfType<Idempotent>().Any())
            {
                (operation.Parameters ??= []).Add(IdempotencyKey());
            }

            foreach (var name in PathParameters(context.Description.RelativePath!).Except(operation.Parameters?.Select(parameter => parameter.Name) ?? []))
            {
                (operation.Parameters ??= []).Add(Path(name!));
            }

            if (metadata.OfType<NeedsKey>().Any())
            {
                operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(KeyScheme, context.Document)] = [] }];
            }

            return Task.CompletedTask;
        });
    });

    private static IEnumerable<string?> PathParameters(string path) =>
        path.Split('/').Where(segment => segment.StartsWith('{')).Select(segment => segment.Trim('{', '*', '}'));

    private static OpenApiParameter Path(string name) => new()
    {
        Name = name,
        In = ParameterLocation.Path,
        Required = true,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiParameter IdempotencyKey() => new()
    {
        Name = IdempotentRequests.Header,
        In = ParameterLocation.Header,
        Description = "Up to 255 characters. Repeated with the same key within a day, the request is answered as it was the first time.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiParameter Query(string name, string type, string meaning) => new()
    {
        Name = name,
        In = ParameterLocation.Query,
        Description = meaning,
        Schema = new OpenApiSchema
        {
            Type = type switch
            {
                "integer" => JsonSchemaType.Integer,
                "number" => JsonSchemaType.Number,
                "boolean" => JsonSchemaType.Boolean,
                _ => JsonSchemaType.String,
            },
        },
    };
}
