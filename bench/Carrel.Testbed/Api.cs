using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Carrel.Testbed;

/// <summary>An answer of the API, read whole.</summary>
public sealed record Answer(HttpStatusCode Status, JsonObject Json, HttpResponseMessage Raw)
{
    public string? Code => Json["code"]?.GetValue<string>();

    public string Text(string field) => Json[field]!.GetValue<string>();
}

/// <summary>The public API as a plain client speaks it.</summary>
public sealed class Api(HttpClient http)
{
    public HttpClient Http => http;

    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = JsonContent.Create(body);
        }

        var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return new Answer(answer.StatusCode, JsonNode.Parse(text)?.AsObject() ?? [], answer);
    }

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Answer> PostAsync(string path, object? body = null) => SendAsync(HttpMethod.Post, path, body ?? new { });

    public Task<Answer> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path);

    public Task<byte[]> BytesAsync(string path) => http.GetByteArrayAsync(path);

    public async Task<IReadOnlyList<string>> WorkspacesAsync()
        => [.. (await GetAsync("/api/workspaces")).Json["workspaces"]!.AsArray().Select(workspace => workspace!["id"]!.GetValue<string>())];

    public async Task<string> NewWorkspaceAsync()
    {
        var name = $"ws-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6))}";
        return Expect(await PostAsync("/api/workspaces", new { name }), HttpStatusCode.Created).Text("id");
    }

    public async Task<Computer> NewComputerAsync(string? workspace = null, string name = "agent", object? more = null)
    {
        workspace ??= await NewWorkspaceAsync();
        var body = new JsonObject { ["workspace_id"] = workspace, ["name"] = name };
        foreach (var (key, value) in System.Text.Json.JsonSerializer.SerializeToNode(more ?? new { })!.AsObject().ToList())
        {
            body[key] = value?.DeepClone();
        }

        return new Computer(this, Expect(await PostAsync("/api/computers", body), HttpStatusCode.Created).Json);
    }

    public static Answer Expect(Answer answer, HttpStatusCode status)
        => answer.Status == status ? answer : throw new UnexpectedAnswerException($"expected {(int)status}, got {(int)answer.Status}: {answer.Json.ToJsonString()}");
}
