using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Accounts;
using Carrel.Server.Hosting;
using Carrel.Server.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Carrel.Server.Tests.Fakes;

/// <summary>The server would not start, and says why.</summary>
internal sealed class StartRefusedException(Failure failure) : Exception(failure.Message)
{
    public Failure Failure => failure;
}

/// <summary>A whole server on a port of its own, over a fake world; and a client with its admin key.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly DataFolder _folder;
    private bool _ended;

    private RunningServer(WebApplication app, DataFolder folder, FakeWorld world, ShiftedClock clock)
    {
        (App, _folder, World, Clock) = (app, folder, world, clock);
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());
        Key = File.ReadAllText(folder.AdminKeyFile).Trim();
        Client = ClientWith(Key);
        Anonymous = ClientWith(null);
    }

    public WebApplication App { get; }

    public FakeWorld World { get; }

    public ShiftedClock Clock { get; }

    public Uri Address { get; }

    public string Key { get; }

    public HttpClient Client { get; }

    public HttpClient Anonymous { get; }

    public string Data => _folder.Path;

    public static async Task<RunningServer> StartAsync(FakeWorld? world = null, string? data = null, Func<Settings, Settings>? change = null)
    {
        data ??= Directory.CreateTempSubdirectory("carrel-test-").FullName;
        world ??= new FakeWorld();
        var settings = new Settings
        {
            Data = data,
            Listen = new Uri("http://127.0.0.1:0"),
            Database = await Store.ForAsync(data),
            Images = data,
            Deskd = data,
            LogLevel = Environment.GetEnvironmentVariable("CARREL_TEST_LOG") is null ? LogLevel.None : LogLevel.Information,
        };
        settings = change?.Invoke(settings) ?? settings;
        var clock = new ShiftedClock();
        var folder = DataFolder.Open(settings.Data).Value;
        var app = CarrelServer.Build(settings, folder, services => services
            .AddSingleton<IMachineHost>(new FakeHost(world))
            .AddSingleton<TimeProvider>(clock));
        await app.StartAsync();
        if (await app.Services.GetRequiredService<ServerStart>().RunAsync(CancellationToken.None) is { } refusal)
        {
            await app.DisposeAsync();
            folder.Dispose();
            throw new StartRefusedException(refusal);
        }

        return new RunningServer(app, folder, world, clock);
    }

    public T Get<T>()
        where T : notnull => App.Services.GetRequiredService<T>();

    public HttpClient ClientWith(string? key)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(100) };
        client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public Task<Answer> GetAsync(string path, HttpClient? client = null) => SendAsync(HttpMethod.Get, path, null, client);

    public Task<Answer> DeleteAsync(string path, HttpClient? client = null) => SendAsync(HttpMethod.Delete, path, null, client);

    public Task<Answer> PostAsync(string path, object? body = null, HttpClient? client = null) => SendAsync(HttpMethod.Post, path, body, client);

    public Task<Answer> PatchAsync(string path, object? body = null, HttpClient? client = null) => SendAsync(HttpMethod.Patch, path, body, client);

    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body = null, HttpClient? client = null, string? key = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        if (body is string raw)
        {
            request.Content = new StringContent(raw, Encoding.UTF8, "application/json");
        }
        else if (body is HttpContent content)
        {
            request.Content = content;
        }
        else if (body is not null)
        {
            request.Content = JsonContent.Create(body);
        }

        using var response = await (client ?? Client).SendAsync(request, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }

    public async Task<string> WorkspaceAsync(string name = "default") => (await PostAsync("/api/workspaces", new { name })).Expect(201).Text("id");

    /// <summary>A running computer in a workspace of its own.</summary>
    public async Task<(string Id, FakeMachine Machine)> ComputerAsync(string name = "hello")
    {
        var workspace = await WorkspaceAsync("ws-" + name);
        var created = (await PostAsync("/api/computers", new { workspace_id = workspace, name })).Expect(201);
        return (created.Text("id"), World.Machines[created.Text("instance_id")]);
    }

    public async Task<string> StatusAsync(string id) => (await GetAsync($"/api/computers/{id}")).Expect(200).Text("status");

    public async Task UntilStatusAsync(string id, string status)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await StatusAsync(id) != status)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, limit.Token);
        }
    }

    /// <summary>Ends as SIGTERM would end it.</summary>
    public async Task StopAsync()
    {
        _ended = true;
        await App.StopAsync();
        await App.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Ends as <c>kill -9</c> would: nothing under way goes on, nothing is told.</summary>
    public async Task KillAsync()
    {
        _ended = true;
        await Get<Database>().DisposeAsync();
        _folder.Dispose();
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await App.StopAsync(now.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_ended)
        {
            await StopAsync();
        }

        Client.Dispose();
        Anonymous.Dispose();
        if (Directory.Exists(Data))
        {
            Directory.Delete(Data, recursive: true);
        }
    }
}
