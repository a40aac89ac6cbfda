using System.Net.Http.Headers;
using System.Text.Json;
using Xunit;

namespace Carrel.Server.Tests.Fakes;

/// <summary>An answer, read whole.</summary>
internal sealed record Answer(int Status, HttpResponseHeaders Headers, string? MediaType, byte[] Bytes)
{
    public string Body => System.Text.Encoding.UTF8.GetString(Bytes);

    public JsonElement Json => JsonDocument.Parse(Bytes).RootElement;

    public static async Task<Answer> ReadAsync(HttpResponseMessage response) => new(
        (int)response.StatusCode, response.Headers, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsByteArrayAsync());

    public string Text(string name) => Json.GetProperty(name).GetString()!;

    public int Int(string name) => Json.GetProperty(name).GetInt32();

    public Answer Expect(int status)
    {
        Assert.True(Status == status, $"expected {status}, got {Status}: {Body}");
        return this;
    }

    /// <summary>An error in the shape every error has.</summary>
    public Answer ExpectError(int status, string code, string? containing = null)
    {
        Expect(status);
        Assert.Equal("application/json", MediaType);
        Assert.Equal(code, Text("code"));
        Assert.Equal(Headers.GetValues("X-Request-Id").Single(), Text("request_id"));
        Assert.Contains(containing ?? "", Text("error"), StringComparison.OrdinalIgnoreCase);
        return this;
    }
}
