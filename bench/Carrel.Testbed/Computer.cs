using System.Net;
using System.Text.Json.Nodes;

namespace Carrel.Testbed;

/// <summary>A computer and what one does with it.</summary>
public sealed class Computer(Api api, JsonObject created)
{
    public JsonObject Created => created;

    public string Id { get; } = created["id"]!.GetValue<string>();

    public string InstanceId { get; } = created["instance_id"]!.GetValue<string>();

    public string Path => $"/api/computers/{Id}";

    public async Task<JsonObject> DoAsync(string action, object? body = null)
        => Api.Expect(await api.PostAsync($"{Path}/{action}", body), HttpStatusCode.OK).Json;

    /// <summary>Runs a command and returns its output; fails when its exit code is not <paramref name="expected"/>.</summary>
    public async Task<string> BashAsync(string command, int expected = 0, int timeout = 60)
    {
        var answer = await DoAsync("bash", new { command, timeout });
        var code = answer["exit_code"]!.GetValue<int>();
        return code == expected
            ? answer["output"]!.GetValue<string>()
            : throw new UnexpectedAnswerException($"`{command}` ended with {code}, not {expected}: {answer["output"]}");
    }

    public async Task<Picture> ScreenshotAsync()
        => Picture.FromPng(await api.BytesAsync($"{Path}/screenshot?response_format=binary&format=png"));

    public async Task<string> StatusAsync() => (await api.GetAsync(Path)).Text("status");

    /// <summary>Repeats a look at the computer until it shows what is expected: for things that happen inside in their own time.</summary>
    public static async Task UntilAsync(Func<Task<bool>> seen, string what, int seconds = 20)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (!await seen())
        {
            if (limit.IsCancellationRequested)
            {
                throw new UnexpectedAnswerException($"not within {seconds} s: {what}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
