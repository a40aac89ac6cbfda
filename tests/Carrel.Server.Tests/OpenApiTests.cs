using System.Text.Json;
using Carrel.Server.Accounts;
using Carrel.Server.Tests.Fakes;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class OpenApiTests
{
    [Fact]
    public async Task Every_endpoint_is_in_the_document_with_its_parameters_and_answers()
    {
        await using var server = await RunningServer.StartAsync();
        var document = (await server.GetAsync("/openapi.json", server.Anonymous)).Expect(200).Json;
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        var paths = document.GetProperty("paths");
        var endpoints = server.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not { ExcludeFromDescription: true })
            .ToList();
        Assert.True(endpoints.Count > 60, $"{endpoints.Count} endpoints");

        var missing = new List<string>();
        foreach (var endpoint in endpoints)
        {
            var path = "/" + endpoint.RoutePattern.RawText!.Trim('/').Replace("{**", "{", StringComparison.Ordinal);
            foreach (var method in endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods)
            {
                if (!paths.TryGetProperty(path, out var item) || !item.TryGetProperty(method.ToLowerInvariant(), out var operation))
                {
                    missing.Add($"{method} {path}");
                    continue;
                }

                missing.AddRange(Gaps(endpoint, operation).Select(gap => $"{method} {path}: {gap}"));
            }
        }

        Assert.Empty(missing);
        var ids = paths.EnumerateObject().SelectMany(path => path.Value.EnumerateObject()).Select(operation => operation.Value.GetProperty("operationId").GetString());
        Assert.Equal(ids.Distinct(), ids);
    }

    private static IEnumerable<string> Gaps(RouteEndpoint endpoint, JsonElement operation)
    {
        if (!operation.TryGetProperty("summary", out _))
        {
            yield return "no summary";
        }

        var answers = operation.GetProperty("responses");
        foreach (var declared in endpoint.Metadata.OfType<IProducesResponseTypeMetadata>())
        {
            if (!answers.TryGetProperty(declared.StatusCode.ToString(null, null), out _))
            {
                yield return $"no answer {declared.StatusCode}";
            }
        }

        if (!answers.EnumerateObject().Any(answer => answer.Name[0] is '1' or '2'))
        {
            yield return "no success";
        }

        var parameters = operation.TryGetProperty("parameters", out var list)
            ? list.EnumerateArray().Where(parameter => parameter.GetProperty("in").GetString() == "path").Select(parameter => parameter.GetProperty("name").GetString()).ToList()
            : [];
        foreach (var parameter in endpoint.RoutePattern.Parameters.Where(parameter => !parameters.Contains(parameter.Name)))
        {
            yield return $"no parameter {parameter.Name}";
        }

        if (endpoint.Metadata.GetMetadata<IAcceptsMetadata>() is not null && !operation.TryGetProperty("requestBody", out _))
        {
            yield return "no body";
        }

        if (endpoint.Metadata.GetMetadata<NeedsKey>() is not null && (!operation.TryGetProperty("security", out _) || !answers.TryGetProperty("401", out _)))
        {
            yield return "no security";
        }
    }

    [Fact]
    public async Task Fields_are_named_as_they_are_on_the_wire()
    {
        await using var server = await RunningServer.StartAsync();
        var schemas = (await server.GetAsync("/openapi.json", server.Anonymous)).Expect(200).Json.GetProperty("components").GetProperty("schemas");

        var computer = schemas.GetProperty("ComputerAnswer").GetProperty("properties");
        foreach (var field in new[] { "workspace_id", "fly_instance_id", "vnc_password", "instance_details", "status_reason" })
        {
            Assert.True(computer.TryGetProperty(field, out _), field);
        }

        Assert.True(schemas.GetProperty("InstanceDetails").GetProperty("properties").TryGetProperty("publicHost", out _));
        Assert.Equal(["x", "y"], schemas.GetProperty("ClickRequest").GetProperty("required").EnumerateArray().Select(name => name.GetString()));
    }
}
