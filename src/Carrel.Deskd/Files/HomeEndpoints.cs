using System.Text;
using Carrel.Contracts;
using Carrel.Contracts.Files;
using Carrel.Deskd.Http;
using Carrel.Deskd.Native;

namespace Carrel.Deskd.Files;

/// <summary>The platform's own exchange of files with the home folder: exports out of it, uploads onto its desktop.</summary>
internal sealed class HomeEndpoints(string home)
{
    /// <summary>Where older documents say the home folder is. Not there, it means the home folder that is.</summary>
    private const string OldHome = "/home/user";
    private const int MostCopies = 10_000;
    private static readonly TextField Path = new("path", "A file in the home folder: relative to it, absolute, or ~/...", true, 4095);
    private static readonly TextField Name = new("name", "The file's name on the desktop.", true, 255);

    public IEnumerable<Route> Routes =>
    [
        new Route("POST", "/files/export", "A file out of the home folder.", ExportAsync) { Body = [Path] },
        new Route("PUT", Contracts.Deskd.DeskdProtocol.DesktopFilePath, "Puts a file onto the desktop, under another name where its own is taken.", PutOnDesktopAsync, Access.Host)
        {
            Query = [Name],
        },
    ];

    private async Task<Reply> ExportAsync(Exchange exchange)
    {
        var (body, problem) = await exchange.ReadBodyAsync(64 * 1024);
        if (body is null)
        {
            return problem!;
        }

        var text = body.Read(Path);
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        var path = GuestPath.FromText(text);
        return path.Succeeded ? await Task.Run(() => Export(exchange, path.Value, text)) : Reply.Error(400, path.Failure.Code, path.Failure.Message, Path.Name);
    }

    private Reply Export(Exchange exchange, GuestPath path, string text)
    {
        using var held = PathHandle.TryOpen(path.ToBytes(home)) ?? InOldHome(text);
        if (held is null)
        {
            // Not told apart from outside: what is there is nobody's business who may not have it.
            return FileProblem.Last($"opening {text}");
        }

        if (!IsBelow(held.RealPath(), home) && !IsBelow(held.RealPath(), OldHome))
        {
            return Reply.Error(403, ErrorCodes.AccessDenied, $"{text} lies outside of the home folder {home}");
        }

        return held.Status.IsFolder
            ? Reply.Error(400, ErrorCodes.IsADirectory, $"{text} is a folder; name a file, or pack the folder first", Path.Name)
            : FileReading.Answer(exchange, held, text);
    }

    private PathHandle? InOldHome(string text) => text.StartsWith(OldHome + "/", StringComparison.Ordinal)
        && GuestPath.FromText("~" + text[OldHome.Length..]) is { Succeeded: true, Value: var moved }
            ? PathHandle.TryOpen(moved.ToBytes(home))
            : null;

    private static bool IsBelow(byte[] path, string folder)
    {
        using var top = PathHandle.TryOpen([.. Encoding.UTF8.GetBytes(folder), 0]);
        return top is not null && path.AsSpan().StartsWith([.. top.RealPath(), (byte)'/']);
    }

    private async Task<Reply> PutOnDesktopAsync(Exchange exchange)
    {
        var name = exchange.Query.Read(Name);
        if (name.Contains('/', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal) || name is "" or "." or "..")
        {
            exchange.Query.Refuse(Name, "must be a plain file name", "");
        }

        if (exchange.Query.Problem is { } wrong)
        {
            return wrong;
        }

        var desktop = Encoding.UTF8.GetBytes($"{home}/Desktop\0");
        if (PathCalls.MakeFolder(desktop) is not (0 or Libc.EEXIST) and var refused)
        {
            return FileProblem.Of(refused, "making the desktop's folder");
        }

        using var folder = PathHandle.TryOpen(desktop);
        using var file = folder is null ? null : NewFile.Create(folder);
        if (file is null)
        {
            return FileProblem.Last($"writing {name}");
        }

        if (await file.ReceiveAsync(exchange, name) is { } problem)
        {
            return problem;
        }

        file.Dress(NewFile.UsualMode, 0, 0);
        for (var copy = 1; copy <= MostCopies; copy++)
        {
            var free = FileNames.Copy(name, copy);
            var errno = file.MoveTo([.. Encoding.UTF8.GetBytes(free), 0], overwrite: false);
            if (errno != Libc.EEXIST)
            {
                return errno == 0
                    ? Reply.Json(201, json => json.WriteString("path"u8, $"{home}/Desktop/{free}"))
                    : FileProblem.Of(errno, $"writing {free}");
            }
        }

        return FileProblem.Exists($"{home}/Desktop/{name}");
    }
}
