using System.Net.Http.Json;
using System.Text.Json;
using Carrel.Contracts.Files;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Files;

/// <summary>What one does with <c>/fs</c>, and a real folder to do it in.</summary>
public sealed class FileSystem(Desk desk) : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("carrel-fs-");

    public string Folder => _folder.FullName;

    public string At(string name) => Path.Combine(Folder, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return At(name);
    }

    public static string Url(string path) => GuestPath.FromText(path).Value.ToTarget("/fs");

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string target, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, new Uri("http://deskd" + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true })) { Content = content };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return desk.Host.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    public Task<HttpResponseMessage> GetAsync(string path, string query = "", params (string, string)[] headers) => SendAsync(HttpMethod.Get, Url(path) + query, null, headers);

    public async Task<string> TextAsync(string path)
    {
        using var answer = await GetAsync(path);
        Assert.Equal(200, (int)answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    public Task<(int Status, JsonElement Answer)> PutAsync(string path, string text, string query = "") => JsonAsync(HttpMethod.Put, Url(path) + query, new StringContent(text));

    public Task<(int Status, JsonElement Answer)> PostAsync(string path, object body) => JsonAsync(HttpMethod.Post, Url(path), JsonContent.Create(body));

    public async Task<(int Status, JsonElement Answer)> JsonAsync(HttpMethod method, string target, HttpContent? content = null)
    {
        using var answer = await SendAsync(method, target, content);
        return ((int)answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken));
    }

    /// <summary>By rm: a name may be no text.</summary>
    public ValueTask DisposeAsync() => new(desk.Shell($"rm -rf {Folder}"));
}
